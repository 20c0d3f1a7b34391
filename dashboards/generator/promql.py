"""PromQL that every dashboard shares. Every selector carries the variables, so that no panel mixes clusters or jobs."""

scope = 'cluster=~"$cluster", job=~"$job", instance=~"$instance"'


def series(name, matchers=""):
    """A metric of the exporter, `shortcircuit_` left out."""
    return f"shortcircuit_{name}{{{scope}{', ' if matchers else ''}{matchers}}}"


def process(name):
    return f"process_{name}{{{scope}}}"


def recorded(name):
    """A series of rules/recording. Those keep no job and no instance."""
    return f'{name}{{cluster=~"$cluster"}}'


def best(name, by, matchers="", function="max"):
    """One series for each `by`: several exporters may report the same fact."""
    return f"{function} by ({by}) ({series(name, matchers)})"


def lately(name):
    """What was there within the last seven days: a night of blindness, or a weekend, is no all-clear. The last hour closely, before
    it one look at every hour."""
    return f"(last_over_time({series(name)}[1h]) or last_over_time({series(name)}[7d:1h]))"


def rate(name, by, matchers="", each=""):
    """Rates added up by `by`. With `each`, the labels of one counted thing: two exporters that count the same count once."""
    rates = f"rate({series(name, matchers)}[$__rate_interval])"
    return f"sum by ({by}) (max by ({each}) ({rates}))" if each else f"sum by ({by}) ({rates})"


def coded(cases):
    """A number for each case, the first case that holds wins. Cases are (number, vector)."""
    return "\nor ".join(f"(0 * {vector} + {number})" for number, vector in cases)


def named(expression, source, target, names):
    """Adds the label `target`: the name of what the label `source` says, nothing where there is no name for it."""
    for value, name in names.items():
        expression = f'label_replace({expression}, "{target}", "{name}", "{source}", "{value}")'
    return expression


def constant(expression, target, value):
    """The same with a label that says the same for every series."""
    return f'label_replace({expression}, "{target}", "{value}", "", "")'
