"""What a machine is: its launch template, and the script that makes it ready before the ECS agent takes jobs.

The ECS agent of Amazon's images starts after the user data has ended, so a job never meets half a machine.
"""

from __future__ import annotations

import shlex
from typing import Any

from .settings import AGENT_FOLDER, SCRATCH_FOLDER, TAG, Settings

Json = dict[str, Any]

BOUNDARY = "==STUDIOS=="

ECS_CONFIG = {
    "ECS_AVAILABLE_LOGGING_DRIVERS": '["json-file","awslogs"]',
    # Images are asked for by digest, so one that is here is the right one.
    "ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached",
    # From the request to end until the kill: the agent saves in that time.
    "ECS_CONTAINER_STOP_TIMEOUT": "2m",
    # No further job on a machine that AWS takes back in two minutes.
    "ECS_ENABLE_SPOT_INSTANCE_DRAINING": "true",
}

SCRIPT = """\
#!/bin/bash
# Runs once, before the ECS agent of this machine starts. Its words are in the instance's console output.
set -u
say() { echo "studios: $*"; }
need() { command -v "$1" >/dev/null || dnf install -y -q "$2"; }

prepare_ecs() {
  mkdir -p /etc/ecs
  cat >>/etc/ecs/ecs.config <<'CONFIG'
@ECS_CONFIG@
CONFIG
}

# The largest disk that holds nothing yet: the scratch volume, or an instance's own faster one where that is larger.
empty_disk() {
  lsblk -bdnpo SIZE,NAME,TYPE | sort -rn | while read -r _ disk type; do
    if [ "$type" = disk ] && [ "$(lsblk -npo NAME "$disk" | wc -l)" = 1 ] && ! blkid -p "$disk" >/dev/null; then
      echo "$disk"
      return
    fi
  done
}

prepare_scratch() {
  mkdir -p @SCRATCH@
  disk=$(empty_disk)
  if [ -z "$disk" ]; then
    say "no empty disk: scratch is on the root volume"
  elif mkfs.xfs -q "$disk" && mount -o noatime "$disk" @SCRATCH@; then
    say "scratch is on $disk"
  else
    say "$disk cannot be used: scratch is on the root volume"
  fi
  chmod 700 @SCRATCH@
}

fetch_agent() {
  need aws awscli-2
  need zstd zstd
  mkdir -p @AGENT@
  for pause in 2 5 10 20 40 0; do
    if aws s3 cp --only-show-errors --region @REGION@ @BUNDLE@ /tmp/studios-agent \\
      && echo "@SHA256@  /tmp/studios-agent" | sha256sum --check --quiet \\
      && zstd -dcq /tmp/studios-agent | tar -x -C @AGENT@; then
      rm -f /tmp/studios-agent
      say "the agent is in @AGENT@"
      return 0
    fi
    sleep "$pause"
  done
  say "THE AGENT COULD NOT BE FETCHED: no studio can start on this machine"
  return 1
}
@PULL@
prepare_ecs
prepare_scratch
fetch_agent
@START_PULL@"""

PULL = """
mkdir -p /opt/studios
cat >/opt/studios/pull <<'PULL'
#!/bin/bash
# Beside the machine's work: a studio that asks for one of these finds it here, or joins the same download.
export DOCKER_CONFIG=$(mktemp -d)
trap 'rm -rf "$DOCKER_CONFIG"' EXIT
for image in @IMAGES@; do
  registry=${image%%/*}
  case $registry in
    *.dkr.ecr.*) aws ecr get-login-password --region @REGION@ | docker login -u AWS --password-stdin "$registry" ;;
  esac
  docker pull -q "$image"
done
PULL
chmod 755 /opt/studios/pull
"""


def user_data(settings: Settings) -> str:
    """The script, wrapped as AWS Batch asks for: it adds a part of its own."""
    config = "\n".join(f"{name}={value}" for name, value in ECS_CONFIG.items())
    pull = PULL if settings.images else ""
    words = {
        "PULL": pull,
        "START_PULL": "systemd-run --unit=studios-pull --no-block /opt/studios/pull\n" if pull else "",
        "ECS_CONFIG": config,
        "SCRATCH": SCRATCH_FOLDER,
        "AGENT": AGENT_FOLDER,
        "REGION": shlex.quote(settings.region),
        "BUNDLE": shlex.quote(f"s3://{settings.bucket}/{settings.bundle.key}"),
        "SHA256": settings.bundle.sha256,
        "IMAGES": " ".join(map(shlex.quote, settings.images)),
    }
    script = SCRIPT
    for name, value in words.items():
        script = script.replace(f"@{name}@", value)
    head = f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{BOUNDARY}"\n'
    part = 'Content-Type: text/x-shellscript; charset="us-ascii"\nMIME-Version: 1.0\n'
    return f"{head}\n--{BOUNDARY}\n{part}\n{script}\n--{BOUNDARY}--\n"


def _volume(device: str, gib: int) -> Json:
    return {
        "DeviceName": device,
        "Ebs": {
            "VolumeSize": gib,
            "VolumeType": "gp3",
            "Throughput": 250,  # unpacking an image is bound by it
            "Encrypted": True,
            "DeleteOnTermination": True,
        },
    }


def launch_template(settings: Settings) -> Json:
    tags = [{"Key": TAG, "Value": settings.name}, {"Key": "Name", "Value": settings.stack}]
    return {
        "Type": "AWS::EC2::LaunchTemplate",
        "Properties": {
            "LaunchTemplateData": {
                "BlockDeviceMappings": [
                    _volume("/dev/xvda", settings.image_gib),
                    _volume("/dev/xvdb", settings.scratch_gib),
                ],
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                "TagSpecifications": [{"ResourceType": "volume", "Tags": tags}],
                "UserData": {"Fn::Base64": user_data(settings)},
            },
        },
    }
