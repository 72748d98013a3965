"""Pictures: graphs as still images. What is shown is decided here, how it moves is not."""
