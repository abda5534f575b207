"""Model + Plan + Bundle -> Run. The one training loop."""
