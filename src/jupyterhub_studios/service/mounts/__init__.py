"""Mounts of studios: which links may be mounted how, and the credential that is made for each."""
