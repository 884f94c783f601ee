"""Schedule expressions of EventBridge's rules and of EventBridge Scheduler, and when they are due."""
