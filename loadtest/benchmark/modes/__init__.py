"""What a bench can do: compare, soak, capacity, faults, sweep."""
