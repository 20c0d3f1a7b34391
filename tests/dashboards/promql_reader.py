"""Reads the selectors out of PromQL: enough for a lint, Prometheus itself judges the rest."""
import collections
import re

Selector = collections.namedtuple("Selector", "metric matchers range function")

token = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\$?[A-Za-z_:][\w:.]*|[0-9][\w.]*|=~|!~|!=|==|>=|<=|[-+*/%^=<>(){}\[\],@])')
grouping = {"by", "without", "on", "ignoring", "group_left", "group_right"}
words = grouping | {"and", "or", "unless", "bool", "offset", "inf", "nan"}


def tokens(expression):
    position, found = 0, []
    while position < len(expression.rstrip()):
        match = token.match(expression, position)
        if not match:
            raise ValueError(f"cannot read {expression[position:position + 20]!r}")
        found.append(match[1])
        position = match.end()
    return found


def closing(found, index, opening, end):
    depth = 0
    while True:
        depth += {opening: 1, end: -1}.get(found[index], 0)
        if depth == 0:
            return index
        index += 1


def selectors(expression):
    """Every selector with its matchers {label: (operator, value)}, its range and the function around it."""
    found = tokens(expression) + ["", ""]
    functions, index, result = [], 0, []
    while found[index]:
        one, following = found[index], found[index + 1]
        if one in grouping and following == "(":
            index = closing(found, index + 1, "(", ")")
        elif one == "(":
            functions.append("")
        elif one == ")":
            functions.pop()
        elif re.match(r"[A-Za-z_:]", one) and following == "(" and one not in words:
            functions.append(one)
            index += 1
        elif re.match(r"[A-Za-z_:]", one) and one not in words:
            # An aggregation may have its grouping before its parentheses: sum by (x) (...)
            if following in grouping:
                index = closing(found, index + 2, "(", ")")
                assert found[index + 1] == "("
                functions.append(one)
                index += 1
            else:
                matchers, window = {}, None
                if following == "{":
                    end = closing(found, index + 1, "{", "}")
                    inside = found[index + 2:end]
                    for at in range(0, len(inside), 4):
                        matchers[inside[at]] = (inside[at + 1], inside[at + 2].strip('"'))
                    index = end
                if found[index + 1] == "[":
                    end = closing(found, index + 1, "[", "]")
                    window = "".join(found[index + 2:end])
                    index = end
                result.append(Selector(one, matchers, window, functions[-1] if functions else ""))
        index += 1
    if functions or not result:
        raise ValueError("a parenthesis is not closed, or nothing is asked")
    return result
