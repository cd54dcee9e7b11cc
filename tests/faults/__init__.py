"""Faults that a live lesson survives, each with every client reconciled against the log."""
