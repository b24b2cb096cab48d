from django.apps import AppConfig


class PanalConfig(AppConfig):
    name = "panal"
