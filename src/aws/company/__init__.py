"""The company that is simulated: what it has, what AWS bills it for that, and what was planted to be found."""
