from django.apps import AppConfig


class PanalConfig(AppConfig):
    name = "panal"

    def ready(self) -> None:
        # Whoever sends a task must know the application, or it would look for a broker at Celery's default address.
        import panal.celery  # noqa: F401
