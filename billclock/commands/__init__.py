"""What a shell or a crontab line calls."""
