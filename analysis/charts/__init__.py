"""Pictures for the thread: one visual language, drawn without pyplot."""
