"""Opening and closing turns: idempotent, one at a time in a conversation, branches where they belong."""

import pytest

from chat import errors, selectors, services
from chat.models import Conversation, Message, Turn
from chat.services import Outcome
from knowledge.errors import KnowledgeBaseNotFound
from panal.kit.errors import Forbidden
from tenants.scope import tenant_scope

DONE = Outcome(text="yes", status="complete", finish="stop")


@pytest.fixture
def scoped(acme):
    with tenant_scope(acme):
        yield


def texts(message_id):
    return [past.text for past in selectors.branch_to(message_id)]


def test_a_question_makes_a_conversation_with_a_title(cast, asked, scoped):
    opened = asked(cast.member, "How do I connect Ollama?")
    conversation = Conversation.objects.get()
    assert conversation.title == "How do I connect Ollama?"
    assert conversation.active_leaf_id == opened.answer_id
    assert Turn.objects.get().status == "running"


def test_the_same_request_starts_nothing_new(cast, asked, scoped):
    first = asked(cast.member, "Hi", request_id="r1")
    again = asked(cast.member, "Hi", request_id="r1")
    assert (again.turn_id, again.brief) == (first.turn_id, None)
    assert first.brief.attempt == 1
    assert Message.objects.count() == 2


def test_a_request_id_with_another_question_is_refused(cast, asked, scoped):
    asked(cast.member, "Hi", request_id="r1")
    with pytest.raises(errors.RequestIdReused):
        asked(cast.member, "Ho", request_id="r1")


def test_two_people_may_use_the_same_request_id(cast, asked, scoped):
    assert asked(cast.member, request_id="r1").turn_id != asked(cast.admin, request_id="r1").turn_id


def test_one_answer_at_a_time(cast, asked, scoped):
    opened = asked(cast.member)
    with pytest.raises(errors.TurnInProgress):
        asked(cast.member, "And?", conversation_id=opened.conversation_id)


def test_the_next_question_follows_the_active_leaf(cast, asked, scoped):
    first = asked(cast.member, "one", answer="1")
    second = asked(cast.member, "two", conversation_id=first.conversation_id)
    assert texts(second.question_id) == ["one", "1", "two"]


def test_a_question_can_follow_an_older_answer(cast, asked, scoped):
    first = asked(cast.member, "one", answer="1")
    asked(cast.member, "two", conversation_id=first.conversation_id, answer="2")
    branch = asked(
        cast.member, "other", conversation_id=first.conversation_id, parent_id=first.answer_id, answer="x"
    )
    assert texts(branch.question_id) == ["one", "1", "other"]


def test_an_empty_text_answers_a_prompt_again(cast, asked, scoped):
    first = asked(cast.member, "one", answer="1")
    again = asked(cast.member, "", conversation_id=first.conversation_id, parent_id=first.question_id)
    assert again.question_id == first.question_id
    assert again.answer_id != first.answer_id


def test_a_text_on_a_prompt_takes_its_place(cast, asked, scoped):
    first = asked(cast.member, "one", answer="1")
    edited = asked(cast.member, "uno", conversation_id=first.conversation_id, parent_id=first.question_id)
    assert texts(edited.question_id) == ["uno"]


def test_an_empty_text_on_an_answer_is_no_question(cast, asked, scoped):
    first = asked(cast.member, "one", answer="1")
    with pytest.raises(errors.EmptyMessage):
        asked(cast.member, "", conversation_id=first.conversation_id, parent_id=first.answer_id)


def test_what_belongs_to_others_is_not_there(cast, globex_cast, asked, scoped):
    mine = asked(cast.member, answer="1")
    with pytest.raises(errors.ConversationNotFound):
        asked(cast.admin, conversation_id=mine.conversation_id)
    with pytest.raises(errors.ConversationNotFound):
        asked(globex_cast.member, conversation_id=mine.conversation_id)
    other = asked(cast.member, answer="2")
    with pytest.raises(errors.MessageNotFound):
        asked(cast.member, conversation_id=mine.conversation_id, parent_id=other.answer_id)
    with pytest.raises(KnowledgeBaseNotFound):
        asked(cast.member, knowledge_base_ids=[str(mine.turn_id)])


def test_viewers_do_not_ask(cast, asked, scoped):
    with pytest.raises(Forbidden):
        asked(cast.viewer)
    assert not Conversation.objects.exists()


def test_only_the_latest_claim_may_store_the_answer(cast, asked, scoped):
    old = asked(cast.member).brief
    new = services.turn_claim(turn_id=old.turn_id)
    assert not services.turn_finish(brief=old, outcome=DONE, outline=[])
    assert services.turn_finish(brief=new, outcome=DONE, outline=[])
    assert not services.turn_finish(brief=new, outcome=DONE, outline=[])
    assert Message.objects.get(role="assistant").text == "yes"


def test_reading_a_branch_is_one_query(cast, asked, scoped, count_queries):
    first = asked(cast.member, "one", answer="1")
    for number in range(5):
        last = asked(cast.member, str(number), conversation_id=first.conversation_id, answer="a")
    with count_queries() as queries:
        assert len(selectors.branch_to(last.question_id)) == 11
    assert len(queries) == 1


def test_the_first_brief_is_what_another_process_would_read(cast, asked, scoped):
    first = asked(cast.member, "one", answer="1")
    for opened in (
        asked(cast.admin, "alone"),
        asked(cast.member, "two", conversation_id=first.conversation_id, parent_id=first.answer_id),
    ):
        assert selectors.turn_brief(opened.turn_id) == opened.brief


def test_opening_a_turn_takes_few_statements(cast, asked, scoped, count_queries):
    with count_queries() as queries:
        asked(cast.member)
    assert len(queries) <= 6  # savepoint, look for the request, three inserts, savepoint
