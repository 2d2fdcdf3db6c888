"""Forecasters: DataFrame in, DataFrame out; networks and baselines under one protocol."""
