"""Random data: laws, samples and sets of scenarios, as arrays; knows neither annotations nor methods."""
