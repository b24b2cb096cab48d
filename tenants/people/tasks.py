from celery import shared_task
from django.core.mail import send_mail

from tenants.celery import TenantTask


@shared_task(
    base=TenantTask,
    autoretry_for=(OSError,),  # smtplib's errors are OSErrors
    retry_backoff=5,
    retry_backoff_max=300,
    max_retries=6,
)
def mail_send(to: str, subject: str, body: str) -> None:
    """In the background, so that neither a slow mail server nor its answer time reaches the page."""
    send_mail(subject, body, None, [to])
