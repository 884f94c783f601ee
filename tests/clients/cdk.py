"""The CDK, from npm and unmodified, against a running iamd."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from clients.installed import ROOT, installed_by_npm
from running import ACCOUNT, AWS, REGION

ORDERS = ROOT / "examples" / "orders"


def package() -> Path:
    """The folder with the CLI and the library in it; npm installs what the example's lock file names."""
    return installed_by_npm("cdk", ORDERS / "cdk")


@dataclass
class Cdk:
    """Runs the CLI in the folder of an app, as the administrator, with a home folder of its own."""

    aws: AWS
    package: Path
    app: Path
    home: Path

    def __call__(self, *arguments: str, folder: Path | None = None) -> str:
        """What the CLI says; an error with its words when it fails."""
        ended = subprocess.run(
            [str(self.package / "node_modules" / ".bin" / "cdk"), "--no-color", "--no-notices", *arguments],
            cwd=folder or self.app,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        said = ended.stdout + ended.stderr
        assert ended.returncode == 0, said
        return said

    def bootstrap(self) -> str:
        """Make what deployments need, whatever the app."""
        return self("bootstrap", f"aws://{ACCOUNT}/{REGION}", folder=self.home)

    def synthesize(self) -> str:
        """Run the app, which takes longer than all else: what follows uses what it has written."""
        return self("synth", "--quiet")

    def deploy(self) -> str:
        """Deploy the app's stack."""
        return self("deploy", "--app", "cdk.out", "--require-approval", "never")

    def destroy(self) -> str:
        """Delete the app's stack."""
        return self("destroy", "--app", "cdk.out", "--force")

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the CLI needs, and none that would lead it elsewhere."""
        key = self.aws.server.administrator
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IAMD_", "CDK_"))},
            "HOME": str(self.home),
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }
