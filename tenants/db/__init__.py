"""Django's database engine `tenants.db`: PostgreSQL whose schema comes from `tenants.scope`."""
