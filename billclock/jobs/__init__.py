"""The jobs of the article: one file a job, named as its command."""
