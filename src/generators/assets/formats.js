// How values are written for people: the rules of src/generators/formats.py, digit by digit.
// Numbers are exact decimals, kept as whole digits and how many of them stand behind the point.
window.FinOps = window.FinOps || {};
(function (FinOps) {
  "use strict";
  let sign = "$";
  const UNKNOWN = "unknown", LONGEST_TEXT = 600, FURTHEST = 300;
  const MONEY = ["money", "money_change"], SHARES = ["share", "change", "percent"], SCALED = ["compact", "bytes"];
  const NUMERIC = [...MONEY, ...SHARES, ...SCALED, "count", "number", "milliseconds"];
  const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
  const COMPACT = [[12, " T"], [9, " B"], [6, " M"], [3, " K"]];
  const BYTES = [[9, " GB"], [6, " MB"], [3, " KB"]];
  // The letters that no page can hold, as in templates.py.
  const UNFIT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]/gu;

  function exact(value) {
    if (typeof value !== "number" && typeof value !== "string") return null;
    const found = NUMBER.exec(String(value).trim());
    if (!found || !(found[2] + (found[3] || ""))) return null;
    const power = Number(found[4] || 0), fraction = found[3] || "", digits = BigInt(found[2] + fraction);
    if (Math.abs(digits.toString().length - 1 - fraction.length + power) >= FURTHEST) return null;
    return shifted({ below: found[1] === "-", digits, places: fraction.length }, power);
  }

  // The number times ten to the power.
  function shifted(one, power) {
    const places = one.places - power;
    return places < 0 ? { below: one.below, digits: one.digits * 10n ** BigInt(-places), places: 0 }
      : { below: one.below, digits: one.digits, places: places };
  }

  function atLeast(one, digits, places) {
    return one.digits * 10n ** BigInt(places) >= BigInt(digits) * 10n ** BigInt(one.places);
  }

  function grouped(digits, places) {
    const text = digits.toString().padStart(places + 1, "0"), cut = text.length - places;
    const whole = text.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, ",");
    return places ? whole + "." + text.slice(cut) : whole;
  }

  function rounded(one, places) {
    if (one.places <= places) return grouped(one.digits * 10n ** BigInt(places - one.places), places);
    const unit = 10n ** BigInt(one.places - places), rest = one.digits % unit;
    return grouped(one.digits / unit + (rest * 2n >= unit ? 1n : 0n), places);
  }

  function significant(one, digits) {
    if (!one.digits) return "0";
    const leading = one.digits.toString().length - 1 - one.places;
    const text = rounded(one, Math.min(12, Math.max(0, digits - 1 - leading)));
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }

  const isWhole = one => one.digits % 10n ** BigInt(one.places) === 0n;
  const dollars = one => !one.digits || atLeast(one, 5, 3) ? rounded(one, 2) : significant(one, 2);
  const percent = one => !one.digits || atLeast(one, 1, 0) ? rounded(one, 1) : significant(one, 2);
  const duration = one => atLeast(one, 1000, 0) ? rounded(shifted(one, -3), 1) + " s" : rounded(one, 0) + " ms";

  function scaled(one, units, plain) {
    for (const [power, unit] of units) {
      // What would round to 1,000.0 of the smaller unit is 1.0 of this one.
      if (atLeast(shifted(one, 5 - power), 99995, 0)) return rounded(shifted(one, -power), 1) + unit;
    }
    return (isWhole(one) ? rounded(one, 0) : significant(one, 3)) + plain;
  }

  function signed(one, text, plus) {
    return /[1-9]/.test(text) ? (one.below ? "\u2212" : plus ? "+" : "") + text : text;
  }

  function numeric(one, kind) {
    if (kind === "money_change" && !atLeast(one, 5, 5)) return sign + "0.00";
    if (MONEY.includes(kind)) return signed(one, sign + dollars(one), kind === "money_change");
    if (kind === "change" && !atLeast(one, 5, 4)) return "0.0 %";
    if (SHARES.includes(kind)) {
      return signed(one, percent(kind === "percent" ? one : shifted(one, 2)) + " %", kind === "change");
    }
    if (kind === "milliseconds") return signed(one, duration(one));
    if (kind === "compact") return signed(one, scaled(one, COMPACT, ""));
    if (kind === "bytes") return signed(one, scaled(one, BYTES, " B"));
    return signed(one, kind === "count" && isWhole(one) ? rounded(one, 0) : significant(one, 3));
  }

  FinOps.isNumeric = kind => NUMERIC.includes(kind);

  // The text of a value of a kind; null is "unknown", never 0.
  FinOps.format = function (value, kind) {
    if (value === null || value === undefined) return UNKNOWN;
    if (kind === "yes_no" || typeof value === "boolean") return value ? "yes" : "no";
    if (kind === "time") {
      const text = String(value).slice(0, 16).replace(/T/g, " ");
      return text + (text.length === 13 ? ":00" : "") + (text.length > 10 ? " UTC" : "");
    }
    const one = FinOps.isNumeric(kind) ? exact(value) : null;
    return one ? numeric(one, kind) : String(value);
  };

  // The value with all its digits where `format` leaves some out, else an empty text.
  FinOps.full = function (value, kind) {
    const one = exact(value);
    if (!one || !(MONEY.includes(kind) || SCALED.includes(kind) && atLeast(one, 1000, 0))) return "";
    return (one.below ? "-" : "") + grouped(one.digits, one.places);
  };

  // The text as a page can hold it, cut where it is longer than anybody reads.
  FinOps.fit = function (text) {
    const letters = Array.from(String(text).replace(UNFIT, "\ufffd"));
    return letters.length <= LONGEST_TEXT ? letters.join("") : letters.slice(0, LONGEST_TEXT - 1).join("") + "\u2026";
  };

  // Which of two numbers is larger, to the last digit: below 0, 0, above 0.
  FinOps.compare = function (a, b) {
    if (Number(a) !== Number(b)) return Number(a) - Number(b);
    const one = exact(a), other = exact(b);
    if (!one || !other) return 0;
    const left = (one.below ? -one.digits : one.digits) * 10n ** BigInt(other.places);
    const right = (other.below ? -other.digits : other.digits) * 10n ** BigInt(one.places);
    return left < right ? -1 : left > right ? 1 : 0;
  };

  // What stands before amounts on this page.
  FinOps.useSign = text => { sign = text; };
})(window.FinOps);
