package localmesos

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/master"
	"github.com/mesos/mesos-go/api/v1/lib/quota"
)

type (
	quotaConfig = wire[quota.QuotaConfig, *quota.QuotaConfig]
	weights     map[string]float64
)

// shares are what operators have said about roles.
type shares struct {
	Quotas  map[string]quotaConfig
	Weights weights
}

func (c *Cluster) saveShares() { c.save(bucketMeta, keyShares, &c.shares) }

// weight is how much of the cluster a role may have in proportion to others.
func (c *Cluster) weight(role string) float64 {
	if w, ok := c.shares.Weights[role]; ok {
		return w
	}
	return 1
}

// shareCall carries out the calls about quota and weights, or returns nil.
func (c *Cluster) shareCall(call *master.Call) *reply {
	switch call.Type {
	case master.Call_GET_QUOTA:
		return answer(&master.Response{Type: master.Response_GET_QUOTA,
			GetQuota: &master.Response_GetQuota{Status: c.viewQuota()}})
	case master.Call_UPDATE_QUOTA:
		return c.updateQuota(call.UpdateQuota.QuotaConfigs, call.UpdateQuota.GetForce())
	case master.Call_SET_QUOTA:
		return c.setQuota(call.SetQuota.QuotaRequest)
	case master.Call_REMOVE_QUOTA:
		return c.removeQuota(call.RemoveQuota.Role)
	case master.Call_GET_WEIGHTS:
		if len(c.shares.Weights) == 0 {
			return answer(&master.Response{Type: master.Response_GET_WEIGHTS})
		}
		r := &master.Response_GetWeights{}
		for _, role := range sortedKeys(c.shares.Weights) {
			r.WeightInfos = append(r.WeightInfos,
				mesos.WeightInfo{Role: &role, Weight: c.shares.Weights[role]})
		}
		return answer(&master.Response{Type: master.Response_GET_WEIGHTS, GetWeights: r})
	case master.Call_UPDATE_WEIGHTS:
		return c.updateWeights(call.UpdateWeights.WeightInfos)
	}
	return nil
}

func (c *Cluster) viewQuota() quota.QuotaStatus {
	var out quota.QuotaStatus
	for _, role := range sortedKeys(c.shares.Quotas) {
		config := c.shares.Quotas[role].V
		info := quota.QuotaInfo{Role: &role}
		for _, name := range sortedKeys(config.Guarantees) {
			info.Guarantee = append(info.Guarantee,
				scalarResource(name, config.Guarantees[name].Value))
		}
		out.Infos = append(out.Infos, info)
		out.Configs = append(out.Configs, config)
	}
	return out
}

// updateQuota sets guarantees and limits of roles, all or none of them.
func (c *Cluster) updateQuota(configs []quota.QuotaConfig, force bool) *reply {
	for _, q := range configs {
		if err := validateQuota(&q); err != nil {
			return fail(http.StatusBadRequest, "%s", err)
		}
	}
	if !force {
		if err := c.validateCapacity(configs); err != nil {
			return fail(http.StatusBadRequest, "%s", err)
		}
	}
	if c.shares.Quotas == nil {
		c.shares.Quotas = map[string]quotaConfig{}
	}
	for _, q := range configs {
		c.shares.Quotas[q.Role] = quotaConfig{q}
	}
	c.saveShares()
	c.rescindForQuota(configs)
	return &reply{status: http.StatusOK}
}

func validateQuota(q *quota.QuotaConfig) error {
	if strings.Contains(q.Role, "/") {
		return fmt.Errorf("Updating quota on nested role '%s' is not supported yet", q.Role)
	}
	for what, amounts := range map[string]map[string]mesos.Value_Scalar{
		"guarantee": q.Guarantees, "limit": q.Limits} {
		for _, name := range sortedKeys(amounts) {
			if v := amounts[name].Value; v < 0 {
				return fmt.Errorf("Invalid QuotaConfig: Invalid %s configuration {'%s': %s}: "+
					"Negative values not supported", what, name, plainNumber(v))
			}
		}
	}
	for _, name := range sortedKeys(q.Limits) {
		if q.Guarantees[name].Value > q.Limits[name].Value {
			return fmt.Errorf("Invalid QuotaConfig: 'QuotaConfig.guarantees' %s is not contained "+
				"within the 'QuotaConfig.limits' %s", quantities(q.Guarantees),
				quantities(q.Limits))
		}
	}
	return nil
}

func plainNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func quantities(m map[string]mesos.Value_Scalar) string {
	var parts []string
	for _, name := range sortedKeys(m) {
		parts = append(parts, name+": "+plainNumber(m[name].Value))
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// validateCapacity sees to it that guarantees can be kept.
func (c *Cluster) validateCapacity(configs []quota.QuotaConfig) error {
	wanted := map[string]milli{}
	add := func(q *quota.QuotaConfig) {
		for name, v := range q.Guarantees {
			wanted[name] += milliOf(v.Value)
		}
	}
	for role, q := range c.shares.Quotas {
		same := func(x quota.QuotaConfig) bool { return x.Role == role }
		if !slices.ContainsFunc(configs, same) {
			add(&q.V)
		}
	}
	for i := range configs {
		add(&configs[i])
	}
	var total []mesos.Resource
	for _, a := range c.agents {
		if a.active() {
			total = plus(total, stripped(a.total()))
		}
	}
	tooMuch := false
	var asked, have []string
	for _, name := range sortedKeys(wanted) {
		tooMuch = tooMuch || wanted[name] > scalarSum(total, name)
		asked = append(asked, name+":"+plainNumber(wanted[name].float()))
	}
	for _, name := range []string{"cpus", "disk", "mem"} {
		have = append(have, name+":"+plainNumber(scalarSum(total, name).float()))
	}
	if !tooMuch {
		return nil
	}
	return fmt.Errorf("Invalid QuotaConfig: total quota guarantees '%s' exceed cluster capacity "+
		"'%s' (use 'force' flag to bypass this check)", strings.Join(asked, "; "),
		strings.Join(have, "; "))
}

// setQuota is the older form of updateQuota: a guarantee that is a limit as well.
func (c *Cluster) setQuota(r quota.QuotaRequest) *reply {
	if _, has := c.shares.Quotas[r.GetRole()]; has {
		return fail(http.StatusBadRequest, "Failed to validate set quota request: "+
			"Cannot set quota for role '%s' which already has quota", r.GetRole())
	}
	q := quota.QuotaConfig{Role: r.GetRole(), Guarantees: map[string]mesos.Value_Scalar{},
		Limits: map[string]mesos.Value_Scalar{}}
	for _, g := range r.Guarantee {
		q.Guarantees[g.Name] = mesos.Value_Scalar{Value: g.GetScalar().GetValue()}
		q.Limits[g.Name] = q.Guarantees[g.Name]
	}
	return c.updateQuota([]quota.QuotaConfig{q}, r.GetForce())
}

// removeQuota is the older form, too. A role without quota is refused; the real
// master aborts.
func (c *Cluster) removeQuota(role string) *reply {
	q, has := c.shares.Quotas[role]
	if !has || len(q.V.Guarantees)+len(q.V.Limits) == 0 && c.removedQuotas[role] {
		return fail(http.StatusBadRequest, "Failed to remove quota for role '%s': "+
			"Role has no quota set", role)
	}
	c.shares.Quotas[role] = quotaConfig{quota.QuotaConfig{Role: role}}
	if c.removedQuotas == nil {
		c.removedQuotas = map[string]bool{}
	}
	c.removedQuotas[role] = true
	c.saveShares()
	return &reply{status: http.StatusOK}
}

func (c *Cluster) updateWeights(infos []mesos.WeightInfo) *reply {
	for _, w := range infos {
		if w.GetRole() == "" {
			return fail(http.StatusBadRequest, "Failed to validate update weights request JSON: "+
				"Invalid role '': Role names cannot be the empty string")
		}
		if w.Weight <= 0 {
			return fail(http.StatusBadRequest, "Failed to validate update weights request JSON "+
				"for role '%s': Invalid weight '%s': Weights must be positive", w.GetRole(),
				plainNumber(w.Weight))
		}
	}
	changed := false
	if c.shares.Weights == nil {
		c.shares.Weights = weights{}
	}
	for _, w := range infos {
		if role := w.GetRole(); c.weight(role) != w.Weight {
			changed = changed || c.hasFrameworks(role)
		}
		c.shares.Weights[w.GetRole()] = w.Weight
	}
	c.saveShares()
	if changed {
		c.removeOffers(true, func(*offer) bool { return true })
	}
	return &reply{status: http.StatusOK}
}

func (c *Cluster) hasFrameworks(role string) bool {
	for _, f := range c.frameworks {
		if !f.Completed && slices.Contains(rolesOf(&f.Info.V), role) {
			return true
		}
	}
	return false
}
