"""The Dockerfile without an engine: what it copies exists, nothing the product needs is left out."""

import re
from fnmatch import fnmatch

from django.conf import settings

from tests.deploy.manifests import ROOT, dockerfile

INSTRUCTIONS = dockerfile()


def of(name):
    return [words[1:] for words in INSTRUCTIONS if words[0] == name]


def sources_of_last_stage():
    """Paths of the checkout that the shipped stage copies."""
    last = max(number for number, words in enumerate(INSTRUCTIONS) if words[0] == "FROM")
    copies = [
        words[1:] for words in INSTRUCTIONS[last:] if words[0] == "COPY" and not words[1].startswith("--from")
    ]
    return [source for words in copies for source in words[:-1]]


def let_in():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line[1:] for line in lines if line.startswith("!")]


def test_everything_copied_exists_and_is_let_into_the_build():
    sources = [source for words in of("COPY") if not words[0].startswith("--from") for source in words[:-1]]
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source == "." or any(source == path or source.startswith(f"{path}/") for path in let_in()), (
            source
        )


def test_every_app_and_folder_the_settings_name_is_shipped():
    shipped = set(sources_of_last_stage()) | {"static"}  # the first stage hands it over with its build
    apps = {app.partition(".")[0] for app in settings.INSTALLED_APPS}
    own = {app for app in apps if (ROOT / app).is_dir()}
    folders = [*settings.TEMPLATES[0]["DIRS"], *settings.LOCALE_PATHS, *settings.STATICFILES_DIRS]
    wanted = own | {str(folder.relative_to(ROOT)) for folder in folders if folder.is_dir()}
    assert len(own) >= 5
    assert wanted - shipped == set()


def test_tailwind_sees_every_source_it_names():
    """A folder that a stylesheet scans must be in the build's context, or its classes are missing from the image."""
    css = (ROOT / "frontend/src/app.css").read_text()
    patterns = [found.removeprefix("../../") for found in re.findall(r'@source "(\.\./\.\./[^"]+)"', css)]
    scanned = [
        folder for pattern in patterns for folder in let_in() if fnmatch(folder, pattern.split("/")[0])
    ]
    assert patterns
    for pattern in patterns:
        first = pattern.split("/")[0]
        assert any(fnmatch(folder, first) for folder in scanned), pattern


def test_runs_as_a_number_that_is_not_root():
    assert of("USER")[-1] == ["10001:10001"]


def test_base_images_are_pinned():
    defaults = dict(words[0].split("=") for words in of("ARG"))
    for words in of("FROM"):
        image = defaults[words[0].strip("${}")]
        assert re.search(r":[0-9]", image), image


def test_starts_the_web_process():
    assert " ".join(of("CMD")[-1]) == '["python", "-m", "panal.web"]'
