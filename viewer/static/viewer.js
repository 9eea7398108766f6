"use strict";
const place = document.getElementById("status");
async function show() {
  try {
    const answer = await fetch("/api/status", { cache: "no-cache" });
    place.textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (error) {
    place.textContent = "The viewer does not answer.";
  }
  setTimeout(show, 1000);
}
show();
