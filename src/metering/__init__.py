"""Live metering: what programs send of their calls, checked and priced, and put on disk before it is answered."""
