"""Values, differences and intervals of a metric, as a reader expects them."""

from dataclasses import dataclass

from warmstart.evaluate.metrics._metric import Metric

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Words:
    """Values and differences of one metric as a reader expects them."""

    metric: Metric

    def value(self, value: float) -> str:
        """ "86.1 %", "0.412 nats"."""
        return f"{value * 100:.1f} %" if self.metric.unit == "points" else f"{value:.3f}{self._unit}"

    def difference(self, value: float) -> str:
        """Its size: "12.3 points", "0.120 nats"."""
        return f"{self.number(abs(value))}{self._unit}"

    def interval(self, low: float, high: float) -> str:
        """Without units: "10.1 to 14.6"; with signs where it reaches below 0: "−1.6 to +0.8"."""
        return f"{self.number(low, signed=low < 0)} to {self.number(high, signed=low < 0)}"

    def against(self, gain: float, low: float, high: float, than: str = "") -> str:
        """A gain, positive is good: "12.3 points more than scratch (95 % interval 10.1 to 14.6)"."""
        up, down = ("more", "less") if self.metric.better == "higher" else ("lower", "higher")
        side, nearest, farthest = (up, low, high) if gain >= 0 else (down, -high, -low)
        interval = self.interval(nearest, farthest)
        if low < 0 < high:
            interval = f"{self.number(-low)} {down} to {self.number(high)} {up}"
        rest = f" than {than}" if than else ""
        return f"{self.difference(gain)} {side}{rest} (95 % interval {interval})"

    @property
    def _unit(self) -> str:
        return f" {self.metric.unit}" if self.metric.unit else ""

    def number(self, value: float, signed: bool = False) -> str:
        """Without its unit: "12.3", "−0.4"; `signed` puts a plus before positive ones."""
        text = f"{value * 100:.1f}" if self.metric.unit == "points" else f"{value:.3f}"
        if float(text) == 0:
            return text.lstrip("-")
        return (f"+{text}" if signed and value > 0 else text).replace("-", MINUS)
