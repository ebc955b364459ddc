"""The recorder service's web side: API, live pictures, accounts, and the page."""
