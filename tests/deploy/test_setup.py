"""The set-up of an installation of one's own: the database is brought up to date, and nothing is made for show."""

import json

import pytest
from django.core.management import call_command

from tenants.directory import scope_of_slug
from tenants.models import Tenant
from tenants.scope import public_scope

pytestmark = pytest.mark.django_db(transaction=True)


def set_up(capsys) -> dict:
    call_command("setup", no_demo=True)
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_without_the_demo_only_the_spare_schemas_are_made(acme, globex, capsys):
    answer = set_up(capsys)
    assert answer == {"url": "http://localhost:8000/"}
    assert scope_of_slug("demo") is None
    with public_scope():
        assert Tenant.objects.filter(status="spare").exists()


def test_with_a_domain_of_its_own_the_address_is_the_proxys(acme, capsys, settings):
    settings.PANAL_BASE_DOMAIN, settings.PANAL_HTTPS = "ai.example.org", True
    assert set_up(capsys) == {"url": "https://ai.example.org/"}
