"""Making workspaces: from the pool, at once, all or nothing."""

import pytest

from panal.kit.errors import PanalError
from tenants.directory import scope_of_slug
from tenants.models import Tenant
from tenants.people.models import User
from tenants.scope import public_scope, tenant_scope
from tenants.services import spare_pool_fill, tenant_create

PASSWORD = "correct horse battery staple"


def spares() -> int:
    with public_scope():
        return Tenant.objects.filter(status="spare").count()


@pytest.mark.django_db(transaction=True)
def test_a_workspace_is_ready_with_its_owner(acme, globex):
    scope = tenant_create(
        slug="Initech", name="Initech", plan="free", owner_email="Bill@initech.test", owner_password=PASSWORD
    )
    assert scope_of_slug("initech") == scope
    with tenant_scope(scope):
        owner = User.objects.get()
        assert (owner.email, owner.role, owner.check_password(PASSWORD)) == (
            "bill@initech.test",
            "owner",
            True,
        )
    with tenant_scope(acme):
        assert not User.objects.filter(email="bill@initech.test").exists()


@pytest.mark.django_db(transaction=True)
def test_sign_up_takes_a_spare_schema(acme):
    spare_pool_fill(target=1)
    with public_scope():
        spare = Tenant.objects.get(status="spare")
    scope = tenant_create(
        slug="hooli", name="", plan="free", owner_email="g@hooli.test", owner_password=PASSWORD
    )
    assert scope.schema == spare.schema_name
    assert spares() == 0
    assert spare_pool_fill(target=2) == 2
    assert spare_pool_fill(target=2) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"slug": "acme"}, "slug_taken"),
        ({"slug": "www"}, "slug_taken"),
        ({"slug": "1st"}, "invalid_slug"),
        ({"slug": "a"}, "invalid_slug"),
        ({"slug": "x" * 41}, "invalid_slug"),
        ({"slug": "drop;--"}, "invalid_slug"),
        ({"plan": "gold"}, "invalid_plan"),
        ({"owner_email": "nobody"}, "invalid_email"),
        ({"owner_password": "1234"}, "weak_password"),
    ],
)
def test_bad_wishes_change_nothing(acme, changes, code):
    spare_pool_fill(target=1)
    wishes = {
        "slug": "hooli",
        "name": "H",
        "plan": "free",
        "owner_email": "g@hooli.test",
        "owner_password": PASSWORD,
    }
    with pytest.raises(PanalError) as caught:
        tenant_create(**{**wishes, **changes})
    assert caught.value.code == code
    assert spares() == 1
    assert scope_of_slug("hooli") is None
