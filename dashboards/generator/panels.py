"""Panels as this project draws them: one function for each kind, Grafana's own panels only."""
from grafana_foundation_sdk.builders import bargauge, common, prometheus, statetimeline, stat as stats, table as tables
from grafana_foundation_sdk.builders import dashboard as frame, text as texts, timeseries as lines
from grafana_foundation_sdk.models import common as kinds, dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

source = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
green, orange, red, blue, grey, purple = "green", "orange", "red", "blue", "#808080", "purple"


def query(expression, legend="", table=False, instant=False):
    built = prometheus.Dataquery().expr(expression).datasource(source)
    if table:
        return built.instant().format(PromQueryFormat.TABLE)
    built = built.instant() if instant else built.range()
    return built.format(PromQueryFormat.TIME_SERIES).legend_format(legend or "__auto")


def steps(*pairs):
    """Thresholds: the colour up to the first number, then number and colour in turn. steps("green", 1, "red")"""
    colors, values = pairs[::2], (None, *pairs[1::2])
    return frame.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(
        [models.Threshold(value=value, color=color) for value, color in zip(values, colors)])


def words(**names):
    """Value mappings from (text, color), keys are v0, v1, vm1 (minus one) or any word."""
    options = {}
    for index, (key, (text, color)) in enumerate(names.items()):
        if key[0] == "v" and key[1:].lstrip("m").isdigit():
            key = key[1:].replace("m", "-")
        options[key] = models.ValueMappingResult(text=text, color=color, index=index)
    return models.ValueMap(options=options)


def pattern(regex, text, color=None, index=0):
    return models.RegexMap(options=models.DashboardRegexMapOptions(
        pattern=regex, result=models.ValueMappingResult(text=text, color=color, index=index)))


def nothing_to_show(text):
    """What is not there must not have the colour of the lowest number, which is mostly green."""
    return models.SpecialValueMap(options=models.DashboardSpecialValueMapOptions(
        match=models.SpecialValueMatch.NULL_AND_NAN, result=models.ValueMappingResult(text=text, color=grey)))


def dress(panel, title, description, queries, unit, thresholds, mappings=(), no_value=None, links=()):
    """What every panel has."""
    panel = panel.title(title).description(description).datasource(source).unit(unit).thresholds(thresholds)
    for ref, one in zip("ABCDEFGH", queries):
        panel = panel.with_target(one.ref_id(ref))
    if mappings:
        panel = panel.mappings(list(mappings))
    if no_value:
        panel = panel.no_value(no_value)
    if links:
        panel = panel.links([to_dashboard(*link) for link in links])
    return panel


def to_dashboard(title, uid):
    return frame.DashboardLink(title).url(f"/d/shortcircuit-{uid}").keep_time(True).include_vars(True)


def stat(title, description, queries, no_value, unit="short", thresholds=None, decimals=None, fields="", mappings=(), **more):
    """One number, or one word: `fields` names the label that is shown instead of the value. It asks what is, not what was:
    the last value of a range is still shown hours after its series ended."""
    queries = [one.instant() for one in queries]
    mappings = [*mappings, nothing_to_show(no_value)]
    panel = dress(stats.Panel(), title, description, queries, unit, thresholds or steps(blue), mappings=mappings, no_value=no_value, **more)
    reduce = common.ReduceDataOptions().calcs(["lastNotNull"])
    if fields:
        reduce = reduce.values(True).fields(fields).limit(1)
    if decimals is not None:
        panel = panel.decimals(decimals)
    several = len(queries) > 1
    return (panel.reduce_options(reduce).color_mode(kinds.BigValueColorMode.BACKGROUND)
            .graph_mode(kinds.BigValueGraphMode.NONE).justify_mode(kinds.BigValueJustifyMode.AUTO)
            .text_mode(kinds.BigValueTextMode.VALUE_AND_NAME if several else kinds.BigValueTextMode.VALUE))


def graph(title, description, queries, unit="short", thresholds=None, stacked=False, limit_line=False, lowest=0,
          highest=None, points=False, **more):
    panel = dress(lines.Panel(), title, description, queries, unit, thresholds or steps(green), **more)
    panel = (panel.line_width(1).fill_opacity(60 if stacked else 8).min(lowest)
             .show_points(kinds.VisibilityMode.AUTO if points else kinds.VisibilityMode.NEVER)
             .legend(common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST)
                     .placement(kinds.LegendPlacement.BOTTOM).show_legend(True))
             .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING)))
    if highest is not None:
        panel = panel.max(highest)
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A"))
    if limit_line:
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED))
    return panel


def timeline(title, description, queries, mappings, **more):
    """One lane for each series; what is not known is a gap or says so."""
    panel = dress(statetimeline.Panel(), title, description, queries, "short", steps(grey), mappings=mappings, **more)
    return (panel.show_value(kinds.VisibilityMode.AUTO).row_height(0.85).merge_values(True).line_width(0)
            .fill_opacity(80).color_scheme(frame.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
            .legend(common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST)
                    .placement(kinds.LegendPlacement.BOTTOM).show_legend(True)))


def bars(title, description, queries, unit="short", thresholds=None, lowest=0, highest=None, decimals=None, **more):
    panel = dress(bargauge.Panel(), title, description, queries, unit, thresholds or steps(blue), **more)
    if decimals is not None:
        panel = panel.decimals(decimals)
    panel = panel.min(lowest)
    if highest is not None:
        panel = panel.max(highest)
    return (panel.orientation(kinds.VizOrientation.HORIZONTAL).display_mode(kinds.BarGaugeDisplayMode.BASIC)
            .name_placement(kinds.BarGaugeNamePlacement.LEFT).show_unfilled(True)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])))


def prose(title, description, markdown):
    return texts.Panel().title(title).description(description).mode(TextMode.MARKDOWN).content(markdown)


def transformation(name, **options):
    return models.DataTransformerConfig(id_val=name, options=options)


def sorted_by(panel, field):
    return panel.with_transformation(transformation("sortBy", sort=[{"field": field}]))


def looks(thresholds=None, unit=None, width=None, mappings=None, decimals=None, cell=None, link=None):
    """Properties of one field that differ from the panel's. `cell` is color-text or color-background."""
    pairs = {"thresholds": thresholds and thresholds.build(), "unit": unit, "custom.width": width, "mappings": mappings,
             "decimals": decimals, "custom.cellOptions": cell and {"type": cell},
             "links": link and [{"title": link[0], "url": link[1]}]}
    return [models.DynamicConfigValue(id_val=key, value=value) for key, value in pairs.items() if value is not None]


def column(field, title, width=None, **more):
    """A column of a table: field of the answer, its title, how it looks."""
    return field, title, looks(width=width, **more)


def table(title, description, queries, columns, sort=None, descending=False, hidden=(), thresholds=None, **more):
    """Columns in the given order. With several queries, rows of equal labels are one row, and values are `Value #A` …"""
    panel = dress(tables.Panel(), title, description, queries, "short", thresholds or steps("text"), **more)
    if len(queries) > 1:
        panel = panel.with_transformation(transformation("merge"))
    panel = panel.with_transformation(transformation(
        "organize", excludeByName={name: True for name in ("Time", *hidden)},
        indexByName={field: index for index, (field, _, _) in enumerate(columns)},
        renameByName={field: name for field, name, _ in columns}))
    for _, name, properties in columns:
        if properties:
            panel = panel.override_by_name(name, properties)
    if sort:
        panel = panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(descending)])
    return panel.show_header(True).cell_height(kinds.TableCellHeight.SM)


def matrix(title, description, expression, row, across, mappings=(), width=None, unit="short", thresholds=None, **more):
    """Rows by one label, columns by another; every cell is coloured, and says it in words too."""
    panel = dress(tables.Panel(), title, description, [query(expression, table=True)], unit,
                  thresholds or steps("transparent"), mappings=mappings, **more)
    panel = panel.with_transformation(transformation("groupingToMatrix", rowField=row, columnField=across, valueField="Value"))
    panel = panel.cell_options({"type": "color-background", "mode": "basic"}).align(kinds.FieldTextAlignment.CENTER)
    panel = panel.override_by_name(f"{row}\\{across}", [
        models.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "auto"}),
        models.DynamicConfigValue(id_val="custom.align", value="left"),
        models.DynamicConfigValue(id_val="custom.width", value=width or 150)])
    return panel.show_header(True).cell_height(kinds.TableCellHeight.SM).sort_by(
        [common.TableSortByFieldState().display_name(f"{row}\\{across}").desc(False)])
