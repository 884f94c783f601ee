"""A device that shows one-time codes, in somebody's pocket."""

import time
from dataclasses import dataclass
from typing import Any

import pyotp
from services.iam.world import Devices


@dataclass(frozen=True)
class Phone:
    """An enabled device: its serial number and its seed."""

    serial: str
    seed: str

    @classmethod
    def of(cls, iam: Any, user_name: str) -> "Phone":
        """A new device, enabled for a user."""
        devices = Devices(iam)
        serial, seed = devices.new(f"{user_name}-phone")
        devices.enable(user_name, serial, seed)
        return cls(serial, seed)

    def codes(self, *, ahead: int = 1) -> dict[str, str]:
        """The serial number with the code that the device shows next."""
        step = int(time.time() // 30) + ahead
        return {"SerialNumber": self.serial, "TokenCode": pyotp.HOTP(self.seed).at(step)}

    def wrong(self) -> dict[str, str]:
        """The serial number with a code that it shows at no time near now."""
        shown = {pyotp.HOTP(self.seed).at(int(time.time() // 30) + near) for near in range(-3, 4)}
        code = next(code for code in map(str, range(100000, 100010)) if code not in shown)
        return {"SerialNumber": self.serial, "TokenCode": code}
