"""How sure: intervals, permutation tests, power, dose laws."""
