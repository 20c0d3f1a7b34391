"""The frame of every dashboard: variables, annotations, links, the grid of 24 columns."""
from grafana_foundation_sdk.builders import dashboard as frame
from grafana_foundation_sdk.models import dashboard as models

from generator.panels import source

tag = "shortcircuit"


class AlertAnnotation(models.AnnotationQuery):
    """Prometheus' fields of an annotation, which the SDK's type does not know yet."""

    def to_json(self):
        return {**super().to_json(), "titleFormat": "{{alertname}}", "tagKeys": "layer,severity",
                "textFormat": "{{object}} {{reason}}", "step": "30s"}


class Annotation(frame.AnnotationQuery):
    def __init__(self, name, severity, color, enabled):
        super().__init__()
        self._internal = AlertAnnotation()
        self.name(name).datasource(source).icon_color(color).enable(enabled).expr(
            f'ALERTS{{cluster=~"$cluster", alertname=~"ShortCircuit.*", alertstate="firing", severity="{severity}"}}')


def variable(name, label, description, metric, matchers, multiple=True, all_value=".+"):
    built = frame.QueryVariable(name).label(label).description(description).datasource(source)
    built = built.query({"query": f"label_values(shortcircuit_{metric}{{{matchers}}}, {name})", "refId": name})
    return (built.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)
            .multi(multiple).include_all(True).all_value(all_value)
            .current(models.VariableOption(text=["All"] if multiple else "All", value=["$__all"] if multiple else "$__all", selected=True)))


within_cluster = 'cluster=~"$cluster"'
within_job = within_cluster + ', job=~"$job"'
within_instance = within_job + ', instance=~"$instance"'


class Board:
    def __init__(self, uid, title, description, period="now-6h"):
        self._board = (frame.Dashboard(title).uid(f"shortcircuit-{uid}").description(description).tags([tag])
                       .readonly().timezone("").refresh("30s").time(period, "now").version(1)
                       .tooltip(models.DashboardCursorSync.CROSSHAIR))
        self._board.with_variable(frame.DatasourceVariable("datasource").label("Data source").type("prometheus")
                                  .description("The Prometheus that scrapes the exporters."))
        self.variable("cluster", "Cluster", "Choose one when several clusters share a Prometheus.", "build_info", "",
                      multiple=False, all_value=".*")
        self.variable("job", "Job", "Scrape jobs of the exporters.", "build_info", within_cluster)
        self.variable("instance", "Instance", "Exporters: one reads the cluster, one on each node its tailscaled.",
                      "build_info", within_job)
        self._board.annotation(Annotation("Pages", "critical", "red", True))
        self._board.annotation(Annotation("Warnings", "warning", "orange", False))
        self._board.link(frame.DashboardLink("ShortCircuit").type(models.DashboardLinkType.DASHBOARDS).tags([tag])
                         .as_dropdown(False).include_vars(True).keep_time(True).icon("external link"))
        self._y = self._id = 0

    def variable(self, name, label, description, metric, matchers=within_instance, **more):
        self._board.with_variable(variable(name, label, description, metric, matchers, **more))

    def _place(self, panel, x, width, height):
        self._id += 1
        self._board.with_panel(panel.id(self._id).grid_pos(models.GridPos(x=x, y=self._y, w=width, h=height)))

    def row(self, height, *panels):
        """Panels side by side: (width, panel), widths together at most 24."""
        x = 0
        for width, panel in panels:
            self._place(panel, x, width, height)
            x += width
        assert x <= 24, "a row is 24 wide"
        self._y += height

    def heading(self, title):
        self._id += 1
        self._board.with_row(frame.Row(title).id(self._id).grid_pos(models.GridPos(x=0, y=self._y, w=24, h=1)))
        self._y += 1

    def build(self):
        return self._board.build()
