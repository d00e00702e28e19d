"""The bench of torhaus: the same load on the mock provider, on nginx before it and on the gateway before it."""
