"""What people see. `app` builds it, `figures/` are pure functions, `pages/` holds one file a page."""
