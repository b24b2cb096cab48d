from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "knowledge"

    def ready(self) -> None:
        from knowledge.retriever import retrieve
        from routing.retrieval import register_retriever

        register_retriever(retrieve)
