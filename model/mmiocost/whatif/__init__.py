"""Questions put to the fitted equations: a scenario in, a number with an interval or a break-even out."""
