"""What a scenario file of the original says, part by part; what is no part of such a file is refused here.

Source: CybORG Shared/Scenario.py, Shared/Scenarios/Scenario2.yaml.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Value = Literal["None", "Low", "Medium", "High"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Insight(_Part):
    """What is revealed of a host: its address, its system, its services."""

    interfaces: Literal["All", "IP Address"] | None = Field(None, alias="Interfaces")
    system: Literal["All"] | None = Field(None, alias="System info")
    users: Literal["All"] | None = Field(None, alias="User info")
    services: list[str] = Field([], alias="Services")


class Knowledge(_Part):
    """What an agent knows when the game begins."""

    hosts: dict[str, Insight] = Field({}, alias="Hosts")


class Session(_Part):
    """A session that an agent has when the game begins."""

    hostname: str
    username: str
    type: str
    name: str | None = None
    parent: str | None = None
    num_children_sessions: int = 0
    artifacts: list[str] = []


class Agent(_Part):
    """One of the players."""

    allowed_subnets: list[str] = Field(alias="AllowedSubnets")
    knowledge: Knowledge = Field(Knowledge(), alias="INT")
    adversary: str | None = None
    actions: list[str]
    agent_type: str
    reward: str | None = Field(alias="reward_calculator_type")
    sessions: list[Session] = Field(alias="starting_sessions")
    wrappers: list[str] = []


class Agents(_Part):
    """All players."""

    blue: Agent = Field(alias="Blue")
    green: Agent = Field(alias="Green")
    red: Agent = Field(alias="Red")


class Host(_Part):
    """One machine; `AWS_Info` is for an emulation and says nothing to the simulation."""

    image: str
    info: dict[str, Insight] = {}
    confidentiality: Value = Field("Low", alias="ConfidentialityValue")
    availability: Value = Field("Low", alias="AvailabilityValue")
    aws_info: Any = Field(None, alias="AWS_Info")


class Rule(_Part):
    """What an access list says of the traffic from one subnet, or from `all`; only `in` is ever read."""

    incoming: Literal["all", "None"] = Field(alias="in")
    outgoing: Any = Field(None, alias="out")


class Subnet(_Part):
    """Machines whose addresses are of one block, and the traffic that their firewall lets in."""

    hosts: list[str] = Field(alias="Hosts")
    access_lists: dict[str, Rule] = Field({}, alias="NACLs")
    size: int = Field(alias="Size")


class CyborgScenario(_Part):
    """A whole scenario file."""

    agents: Agents = Field(alias="Agents")
    hosts: dict[str, Host] = Field(alias="Hosts")
    subnets: dict[str, Subnet] = Field(alias="Subnets")
