from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "routing"

    def ready(self) -> None:
        from panal.kit.lifecycle import on_shutdown, on_startup
        from routing import gateway, pools, transport

        on_startup(pools.start)
        on_shutdown(transport.close)
        on_shutdown(pools.stop)
        on_shutdown(gateway.stop_all)
