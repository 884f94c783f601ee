"""What the tests of other people's clients share: where a client finds its profiles, and how it is run."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running import AWS, REGION, Credentials
from services.sts.conftest import role

__all__ = ["role"]

BIN = Path(sys.executable).parent


@dataclass
class Home:
    """A user's AWS configuration: `profile` writes one, `environment` has a client read it and no other."""

    folder: Path
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a client needs, and none that would lead it elsewhere."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IAMD_"))}
        return {
            **clean,
            "HOME": str(self.folder),
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "credentials"),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def key(self, name: str, key: Credentials) -> None:
        """Add a profile with an access key."""
        with (self.folder / "credentials").open("a") as file:
            file.write(f"[{name}]\naws_access_key_id = {key.access_key_id}\n")
            file.write(f"aws_secret_access_key = {key.secret_access_key}\n")

    def profile(self, name: str, **settings: str) -> None:
        """Add a profile with these settings."""
        with (self.folder / "config").open("a") as file:
            file.write(f"[profile {name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))

    def write(self, name: str, text: str) -> Path:
        """A file of the user's."""
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, *command: Any, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program with this configuration."""
        return subprocess.run(
            [str(part) for part in command],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def aws_cli(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the AWS CLI."""
        return self.run(BIN / "aws", *arguments, "--output", "text", **environment)


@pytest.fixture
def home(aws: AWS, tmp_path: Path) -> Home:
    """A configuration without profiles."""
    return Home(tmp_path, aws.endpoint)
