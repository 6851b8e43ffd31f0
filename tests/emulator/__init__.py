"""Tests of the local Azure OpenAI."""
