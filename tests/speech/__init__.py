"""Tests of rapida_tw.speech."""
