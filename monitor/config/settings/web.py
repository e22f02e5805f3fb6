"""Settings of the pages that a worker serves: where, and how much it lets those take who reach its port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from monitor.config.reading.quantities import PositiveDuration, duration_text
from monitor.config.reading.shape import Shape, Text, wrong


def _within(least_ms: int, most_ms: int) -> Callable[[int], int]:
    def checked(value: int) -> int:
        if not least_ms <= value <= most_ms:
            raise wrong(f"must be {duration_text(least_ms)} to {duration_text(most_ms)}, not {duration_text(value)}")
        return value

    return checked


Port = Annotated[int, Field(ge=0, le=65_535)]
HeadersTimeout = Annotated[PositiveDuration, AfterValidator(_within(100, 60_000))]
AnswerTimeout = Annotated[PositiveDuration, AfterValidator(_within(1_000, 600_000))]


class WebSettings(Shape):
    """Where /healthz, /readyz and /metrics are served, and the limits of whoever asks for them."""

    host: Text = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 opens it to the network.")
    port: Port = Field(default=6066, description="Port to listen on; 0 takes a free one.")
    max_connections: Annotated[int, Field(ge=2, le=10_000)] = Field(
        default=64, description="Connections at once; of more the oldest that has asked for nothing is closed."
    )
    max_scrapes: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=4, description="Answers of /metrics under way at once; of more the oldest is cut off."
    )
    headers_timeout_ms: HeadersTimeout = Field(
        default=5_000, alias="headers_timeout", description="How long a connection may take to send its request."
    )
    answer_timeout_ms: AnswerTimeout = Field(
        default=20_000, alias="answer_timeout", description="How long a connection may take to fetch its answer."
    )

    @model_validator(mode="after")
    def _leaves_room(self) -> WebSettings:
        if self.max_scrapes >= self.max_connections:
            raise wrong(
                f"max_scrapes ({self.max_scrapes}) leaves no connection of {self.max_connections} for a probe",
                "keep it below max_connections",
            )
        return self
