"""What pages show: plain data by subject, as `dashboard.views.Views` hands it over."""
