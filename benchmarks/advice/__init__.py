"""Advice, search and diagnosis, measured."""
