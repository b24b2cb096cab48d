"""The Celery application: `celery -A panal.celery worker` and `… beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panal.settings")

app = Celery("panal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "spare-schemas": {"task": "tenants.tasks.spare_pool_keep_full", "schedule": 30.0},
    "documents-rescue": {"task": "knowledge.tasks.documents_rescue_all", "schedule": 30.0},
    "conversations": {"task": "chat.tasks.chats_keep", "schedule": 30.0},
    "ledgers": {"task": "billing.tasks.ledgers_keep", "schedule": 60.0},
    "worker-seen": {"task": "panal.tasks.worker_seen", "schedule": 10.0},
}
