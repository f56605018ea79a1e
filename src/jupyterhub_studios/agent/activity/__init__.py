"""What a session does, and whether somebody is there: looked at here, judged by the service."""
