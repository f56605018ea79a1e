"""Ratios against the peers, both sides measured in one run: ``make bench``."""
