"""The call log: one CSV of 19 fields, how a row is read and checked, and how rows are appended safely."""
