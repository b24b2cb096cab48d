"""The members' page."""

import pytest
from django.core import mail

from tenants.people.models import User
from tenants.scope import tenant_scope


@pytest.fixture
def page(browser, cast):
    return browser(cast.admin)


def test_it_works(page, cast):
    shown = page.get("/console/members/").content.decode()
    assert all(actor.email in shown for actor in cast)


@pytest.mark.parametrize("typed", ["\x00", "%", "_", "'", "x" * 5000])
def test_odd_searches_find_nobody_and_break_nothing(page, cast, typed):
    assert page.get("/console/members/", {"q": typed}).status_code == 200


def test_searching(page, cast):
    shown = page.get("/console/members/?q=MIA").content.decode()
    assert cast.member.email in shown
    assert cast.viewer.email not in shown
    assert "Nobody by that name" in page.get("/console/members/?q=zzz").content.decode()


@pytest.mark.parametrize("sort", ["name", "-name", "email", "role", "-last", "since", "nonsense", "password"])
def test_sorting(page, cast, sort):
    assert page.get("/console/members/", {"sort": sort}).status_code == 200


def test_sorting_puts_the_page_in_order(page, cast):
    shown = page.get("/console/members/?sort=-email").content.decode()
    emails = sorted((actor.email for actor in cast), reverse=True)
    places = [shown.rindex(f">{email}<") for email in emails]
    assert places == sorted(places)


def test_many_members_come_in_pages(page, cast):
    with tenant_scope(cast.scope):
        User.objects.bulk_create(User(email=f"p{n:03}@acme.test", password="!") for n in range(60))
    first = page.get("/console/members/").content.decode()
    assert "1–25 of 64" in first
    assert "51–64 of 64" in page.get("/console/members/?page=3").content.decode()
    assert "51–64 of 64" in page.get("/console/members/?page=999").content.decode()


def test_the_list_takes_the_same_queries_for_any_number(page, cast, count_queries):
    page.get("/console/members/")
    with count_queries() as few:
        page.get("/console/members/")
    with tenant_scope(cast.scope):
        User.objects.bulk_create(User(email=f"p{n:03}@acme.test", password="!") for n in range(20))
    with count_queries() as many:
        page.get("/console/members/")
    assert len(many) == len(few)


def test_adding_somebody(page, cast, django_capture_on_commit_callbacks):
    with tenant_scope(cast.scope), django_capture_on_commit_callbacks(execute=True):
        answer = page.post(
            "/console/members/new/", {"email": "new@acme.test", "name": "Nia", "role": "viewer"}
        )
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "http://acme.localhost/password/" in shown
    assert mail.outbox[0].to == ["new@acme.test"]
    assert "Adam added you to the workspace acme.localhost" in mail.outbox[0].body
    assert "http://acme.localhost/password/" not in page.get("/console/members/").content.decode()
    assert "no-store" in answer["Cache-Control"]
    with tenant_scope(cast.scope):
        assert User.objects.get(email="new@acme.test").role == "viewer"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "no", "role": "member"}, "valid email"),
        ({"email": "", "role": "member"}, "required"),
        ({"email": "a@b.test", "role": "owner"}, "not one of the available choices"),
        ({"email": "ANA@acme.test", "role": "member"}, "already a member"),
    ],
)
def test_a_bad_addition_is_refused_in_the_form(page, cast, fields, said):
    answer = page.post("/console/members/new/", fields)
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_a_role_is_changed_and_changed_back(page, cast):
    path = f"/console/members/{cast.viewer.user_id}/role/"
    shown = page.post(path, {"role": "admin"}, follow=True).content.decode()
    assert "Vic is now admin." in shown
    assert f'action="{path}"' in shown
    assert 'name="role" value="viewer"' in shown
    with tenant_scope(cast.scope):
        assert User.objects.get(pk=cast.viewer.user_id).role == "admin"


def test_suspending_offers_the_way_back(page, cast):
    path = f"/console/members/{cast.viewer.user_id}/active/"
    shown = page.post(path, {"active": "0"}, follow=True).content.decode()
    assert "Vic is suspended." in shown
    assert 'name="active" value="1"' in shown
    with tenant_scope(cast.scope):
        assert not User.objects.get(pk=cast.viewer.user_id).is_active
    page.post(path, {"active": "1"})
    with tenant_scope(cast.scope):
        assert User.objects.get(pk=cast.viewer.user_id).is_active


def test_a_new_link_is_for_those_who_never_came_in(page, cast):
    with tenant_scope(cast.scope):
        waiting = User.objects.create_user(email="waiting@acme.test", password=None)
    shown = page.post(f"/console/members/{waiting.pk}/link/").content.decode()
    assert f"/password/{waiting.pk}/" in shown
    assert page.post(f"/console/members/{cast.viewer.user_id}/link/").status_code == 422


def test_removing(page, cast):
    assert page.post(f"/console/members/{cast.viewer.user_id}/remove/").status_code == 302
    with tenant_scope(cast.scope):
        assert not User.objects.filter(pk=cast.viewer.user_id).exists()


@pytest.mark.parametrize(
    ("act", "fields"), [("role", {"role": "viewer"}), ("active", {"active": "0"}), ("remove", {})]
)
def test_the_owner_is_protected(page, cast, act, fields):
    assert page.post(f"/console/members/{cast.owner.user_id}/{act}/", fields).status_code == 403
    with tenant_scope(cast.scope):
        owner = User.objects.get(pk=cast.owner.user_id)
    assert (owner.role, owner.is_active) == ("owner", True)


@pytest.mark.parametrize("act", ["role", "active", "remove", "link"])
def test_somebody_of_another_workspace_is_not_found(page, globex_cast, act):
    path = f"/console/members/{globex_cast.viewer.user_id}/{act}/"
    assert page.post(path, {"role": "admin", "active": "0"}).status_code == 404
    with tenant_scope(globex_cast.scope):
        assert User.objects.get(pk=globex_cast.viewer.user_id).role == "viewer"


def test_hostile_names_are_shown_as_text(page, cast):
    hostile = '"><img src=x onerror=alert(1)>'
    with tenant_scope(cast.scope):
        User.objects.filter(pk=cast.viewer.user_id).update(name=hostile)
    for shown in (
        page.get("/console/members/").content.decode(),
        page.post(
            f"/console/members/{cast.viewer.user_id}/active/", {"active": "0"}, follow=True
        ).content.decode(),
    ):
        assert "<img src=x" not in shown
        assert "&lt;img src=x" in shown
