from django.apps import AppConfig


class RollupConfig(AppConfig):
    name = "billing.rollup"
    label = "rollup"
