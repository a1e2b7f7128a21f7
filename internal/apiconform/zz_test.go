package apiconform
import ("fmt";"os";"testing")
func TestZZ(t *testing.T){
 if os.Getenv("ZZ")=="" {return}
 paths,_:=copiedRecordings(); list,_:=readSeries(paths); rules,_:=readDeviations()
 var all []outcome
 for _,s:=range list { p,err:=play(s); if err!=nil {t.Fatal(err)}; all=append(all,p.outcomes...)}
 declare(all,rules)
 for _,o:=range all { if len(o.found)>0 && len(o.declared)==0 {
   seen:=map[string]bool{}
   fmt.Printf("%s [%s] %s %s {%v}:", o.line.place(), o.line.Moment, o.line.Request.Method, o.line.Request.Path, o.when)
   for _,f:=range o.found { k:=f.kind+" "+f.where; if !seen[k] {seen[k]=true; fmt.Printf(" `%s`",k)}}
   fmt.Println()
 }}
}
