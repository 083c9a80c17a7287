"""What medkg talks about: names, terms, errors and the frozen values that layers pass to each other."""
