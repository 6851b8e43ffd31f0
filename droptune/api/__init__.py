"""What HTTP shows: documents, problems and pages."""
